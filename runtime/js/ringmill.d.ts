// What scripts of Ringmill see beside ECMAScript 2023. Name this file in the types or
// files of a tsconfig.json with "lib": ["es2023"], so that the editor knows no DOM.

/** A value that survives the way into a script and out of it. */
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** What a script exports by default: the task's `with` in, the task's result out. */
type Task<Input = Json, Output = unknown> = (input: Input, ctx: TaskContext) => Output | Promise<Output>;

/** Of a condition, when: {js: ...}: taken for true or false. It may also be an expression over input and ctx. */
type Condition<Input = Json> = (input: Input, ctx: TaskContext) => unknown;

/** What a workflow says about the call. A Go program that calls the engine itself may say something else. */
interface TaskContext {
  readonly workflow: string;
  readonly runId: string;
  readonly task: string;
  /** From 1; 1 in a condition. */
  readonly attempt: number;
  /** The index in a foreach. */
  readonly item?: number;
}

/** Lines are kept with the call, up to 64 KB unless configured otherwise. */
interface Console {
  debug(...values: unknown[]): void;
  log(...values: unknown[]): void;
  info(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
}
declare var console: Console;

/** At most 64 timers are pending unless configured otherwise; one more throws a RangeError. */
declare function setTimeout<A extends unknown[]>(f: (...args: A) => void, ms?: number, ...args: A): number;
declare function setInterval<A extends unknown[]>(f: (...args: A) => void, ms?: number, ...args: A): number;
declare function clearTimeout(id: number | undefined): void;
declare function clearInterval(id: number | undefined): void;
declare function queueMicrotask(f: () => void): void;

interface Crypto {
  randomUUID(): string;
  getRandomValues<T extends ArrayBufferView>(view: T): T;
}
declare var crypto: Crypto;

/** UTF-8 only. */
declare class TextEncoder {
  readonly encoding: "utf-8";
  encode(text?: string): Uint8Array;
}
declare class TextDecoder {
  constructor(label?: "utf-8" | "utf8", options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: "utf-8";
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(source?: ArrayBuffer | ArrayBufferView): string;
}

declare function atob(text: string): string;
declare function btoa(text: string): string;
/** Both clocks move in steps of 0.1 ms. */
declare var performance: { now(): number };

interface FetchOptions {
  method?: string;
  headers?: { [name: string]: string };
  body?: string | ArrayBuffer | ArrayBufferView;
}
interface FetchResponse {
  readonly ok: boolean;
  readonly status: number;
  readonly url: string;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
  json(): Promise<any>;
  bytes(): Promise<Uint8Array>;
}
/** There only where the program's configuration allows hosts. Bodies are UTF-8 text. */
declare function fetch(url: string, options?: FetchOptions): Promise<FetchResponse>;
