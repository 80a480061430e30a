/** What devices may do: the part of a home's access file that is made from templates. */
export { namesOfPeople, setTemplate, type Template, templateNamed, templates, writeAccess } from './access.ts';
