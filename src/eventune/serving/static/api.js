// The server's API. The token stays in this tab.

import { say } from "./words.js";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export function useToken(token) {
  sessionStorage.setItem("eventune-token", token);
}

export async function ask(method, path, content) {
  const headers = {};
  const token = sessionStorage.getItem("eventune-token");
  if (token) headers.Authorization = `Bearer ${token}`;
  if (content !== undefined) headers["Content-Type"] = "application/json";
  const request = { method, headers, body: content === undefined ? undefined : JSON.stringify(content) };
  const response = await fetch(path, request).catch(() => { throw new Refused(0, say("unreachable")); });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { message = response.statusText, hint = "" } = answer.error ?? {};
  throw new Refused(response.status, hint ? `${message} (${hint})` : message);
}
