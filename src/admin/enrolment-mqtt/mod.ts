/** Enrolment and renewal of certificates over MQTT: who is let in for it, and who answers. */
export { passForExpired, tokenLogin } from './login.ts';
export { enrolmentService, type EnrolmentPorts } from './service.ts';
