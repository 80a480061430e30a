/** What a command may touch of the world around it. */
export interface Context {
  /** The program's name as the user typed it: `zancudo`, or `mosquitto` through a symbolic link. */
  calledAs: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** To standard output. */
  print(text: string): void;
  /** To standard error. */
  complain(text: string): void;
  /** Unix time in milliseconds. */
  wall(): number;
}

/** A command takes the arguments behind its name and ends with the exit code. */
export interface Command {
  run(args: readonly string[], context: Context): Promise<number>;
}
