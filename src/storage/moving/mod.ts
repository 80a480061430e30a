/**
 * Moving in and out: import, export, backup. A door of its own, because a broker that has nothing to take over does
 * not need any of it.
 */
export { backUp, restore } from './backup.ts';
export { exportStore, exportToFile, type Exported } from './export.ts';
export { dryRun, importFile, type Imported, type ImportRequest } from './import.ts';
export { StoreError } from '../store-error.ts';
export { MovingError } from './moving-error.ts';
export { counted, remarkLines, tallyText } from './told.ts';
