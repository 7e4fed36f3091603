// The server's API. The token stays in this tab.

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
  const response = await fetch(path, { method, headers, body: content === undefined ? undefined : JSON.stringify(content) });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { message = response.statusText, hint = "" } = answer.error ?? {};
  throw new Refused(response.status, hint ? `${message} (${hint})` : message);
}
