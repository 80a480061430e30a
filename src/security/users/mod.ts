/** Users moved about: between files, dynamic security, databases and JSON lines. Loaded only by `zancudo users`. */
export {
  adapt,
  type Adapted,
  filesManner,
  hashKind,
  type Problem,
  rowsManner,
  saltAsBase64,
  withSalt,
} from './adapt.ts';
export { planDynamic, readDynamic } from './dynamic.ts';
export { readRules as readDynamicRules, writeRules as writeDynamicRules } from '../dynamic-security/file.ts';
export { putPasswords, putRules, readFiles } from './file-texts.ts';
export { flatRules } from './flat-rules.ts';
export { linesOf, readLines, UsersError } from './json-lines.ts';
export { openRedis, redisNameProblem } from './redis-users.ts';
export { openSql } from './sql-sessions.ts';
export {
  createTables,
  findTables,
  nameOf,
  type SqlSession,
  tableIn,
  tableName,
  tablesOfGuide,
  type TableName,
  type Tables,
} from './sql-tables.ts';
export { readTables, takesWords, writeTables } from './sql-users.ts';
export { accessWords, emptySet, fingerprintOf, type Rule, type User, type UserSet } from './user-set.ts';
