/** Certificates for devices over HTTP: EST and kits. Loaded with the first visitor. */
export { type EnrolmentDoor, openEnrolmentDoor } from './door.ts';
