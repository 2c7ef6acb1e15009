// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Watchroom authors
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, normalize } from "node:path";
import type { Role } from "../src/wire/types";
import { FakeOutputs, type Told } from "./fake_outputs";
import { FakeRoom } from "./fake_room";

const types: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

/**
 * A stand-in for the aggregator's web side, over plain HTTP on a free loopback port, so that the
 * page can be put before situations that are hard to bring about for real. It knows nothing of
 * the aggregator's code: whether the two agree is shown by the scenario with the real one.
 */
export class FakeApi {
  readonly room = new FakeRoom();
  readonly outputs = new FakeOutputs();
  role: Role = "operator";
  is_throttled = false;
  /** The one-time code that a log-in needs; empty: none. */
  code = "";
  must_change_password = false;
  has_totp = false;
  is_deaf = false;
  /** It takes an order, and the answer is lost. */
  is_losing_answers = false;
  acknowledged: { id: number; comment: string }[] = [];
  classes: string[] = [];
  is_refusing_classes = false;
  #server: Server;
  #streams = new Set<ServerResponse>();
  #timer: ReturnType<typeof setInterval>;

  constructor(private readonly dist: string) {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#timer = setInterval(() => this.#push("points", { points: this.room.wiggle() }), 500);
  }

  listen(): Promise<string> {
    return new Promise((done) =>
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        done(typeof address === "object" && address ? `http://127.0.0.1:${address.port}/` : "");
      }),
    );
  }

  close(): void {
    clearInterval(this.#timer);
    this.drop_streams();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  drop_streams(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  /** Sends everything anew, as after a change of all of it. */
  push_all(to: Iterable<ServerResponse> = this.#streams): void {
    for (const stream of [...to]) {
      this.#write(stream, "status", this.room.status());
      this.#write(stream, "agents", { agents: this.room.agents });
      this.#write(stream, "points", { version: 1, points: [...this.room.points.values()] });
      this.#write(stream, "alarms", { alarms: this.room.alarms.filter((alarm) => alarm.state !== "normal") });
    }
  }

  #push(name: string, data: unknown): void {
    for (const stream of this.#streams) this.#write(stream, name, data);
  }

  #write(stream: ServerResponse, name: string, data: unknown): void {
    stream.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    response.setHeader("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    if (!url.pathname.startsWith("/api/")) return this.#file(url.pathname, response);
    if (this.is_deaf) return void request.socket.destroy();
    const path = url.pathname.replace("/api/v1/", "");
    const body = ["POST", "PUT", "DELETE"].includes(request.method ?? "") ? await read(request) : {};
    const is_inside = request.headers.cookie?.includes("wr_session=fake") ?? false;
    const who = () => ({
      user: "zhang",
      role: this.role,
      expires_at: "2099-01-01T00:00:00.000Z",
      must_change_password: this.must_change_password,
      has_totp: this.has_totp,
    });

    if (path === "session" && request.method === "POST") {
      if (this.is_throttled) return problem(response, 429, { "Retry-After": "30" });
      if (body.password !== "right") return problem(response, 401);
      if (this.code !== "" && body.code !== this.code) return problem(response, 401, {}, "code_needed");
      return json(response, who(), { "Set-Cookie": "wr_session=fake; HttpOnly; SameSite=Strict; Path=/" });
    }
    if (!is_inside) return problem(response, 401);
    if (path === "session" && request.method === "DELETE")
      return json(response, {}, { "Set-Cookie": "wr_session=; Path=/; Max-Age=0" });
    if (path === "session") return json(response, who());
    if (path === "session/password") {
      if (body.old !== "right") return problem(response, 403, {}, "wrong_password");
      this.must_change_password = false;
      return json(response, who());
    }
    if (this.must_change_password) return problem(response, 403, {}, "password_change_needed");
    if (path === "session/totp") return this.#totp(request.method ?? "", body, response, who);
    if (path === "alarms") return json(response, { alarms: this.room.alarms });
    if (path === "points/samples") return json(response, { samples: this.room.samples(url.searchParams.get("id") ?? "") });
    if (path === "events") return this.#stream(response);
    const told = this.outputs.answer(request.method ?? "", path, body, this.role);
    if (told && this.is_losing_answers && path.endsWith("/orders")) return void request.socket.destroy();
    if (told) return tell(response, told);
    const device = /^devices\/(.+)\/class$/.exec(path);
    if (device) return this.#set_class(response, decodeURIComponent(device[1] ?? ""), String(body.class));
    const asked = /^alarms\/(\d+)\/acknowledge$/.exec(path);
    if (asked && ["viewer", "auditor"].includes(this.role)) return problem(response, 403);
    const alarm = asked && this.room.acknowledge(Number(asked[1]), "zhang", String(body.comment));
    if (!alarm) return problem(response, 404);
    this.acknowledged.push({ id: alarm.id, comment: String(body.comment) });
    json(response, alarm);
  }

  #totp(method: string, body: Record<string, unknown>, response: ServerResponse, who: () => object): void {
    const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    const uri = `otpauth://totp/Watchroom:zhang?secret=${secret}`;
    if (method === "POST") return json(response, { secret, uri, expires_at: "2099-01-01T00:00:00.000Z" });
    if (body.password !== "right") return problem(response, 403, {}, "wrong_password");
    if (body.code !== "123456") return problem(response, 403, {}, "wrong_code");
    this.has_totp = method === "PUT";
    json(response, who());
  }

  #set_class(response: ServerResponse, place: string, wanted: string): void {
    if (this.is_refusing_classes) return problem(response, 409);
    this.classes.push(`${place} ${wanted}`);
    this.room.change_device(place, { class_wanted: wanted, class_request: "pending" });
    response.writeHead(202, { "Content-Type": "application/json" }).end("{}");
    this.push_all();
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
    this.push_all([response]);
  }

  async #file(path: string, response: ServerResponse): Promise<void> {
    try {
      const file = join(this.dist, normalize(path === "/" ? "/index.html" : path));
      const text = await readFile(file);
      response.writeHead(200, { "Content-Type": types[extname(file)] ?? "application/octet-stream" }).end(text);
    } catch {
      response.writeHead(404).end();
    }
  }
}

async function read(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString() || "{}");
}

function json(response: ServerResponse, data: unknown, headers = {}): void {
  response.writeHead(200, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(data));
}

function tell(response: ServerResponse, { status, body }: Told): void {
  const type = status < 400 ? "application/json" : "application/problem+json";
  response.writeHead(status, { "Content-Type": type }).end(JSON.stringify(body));
}

function problem(response: ServerResponse, status: number, headers = {}, word = "other"): void {
  response.writeHead(status, { "Content-Type": "application/problem+json", ...headers }).end(JSON.stringify({ type: `urn:watchroom:problem:${word}`, status }));
}
