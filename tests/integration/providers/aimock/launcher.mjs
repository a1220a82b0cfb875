// The mock server with answers by keyword, and a second port that tells what it saw: each request's body as it came,
// and when its connection was closed before the answer was whole. It ends with its stdin.
import http from "node:http";
import { syncBuiltinESMExports } from "node:module";

const seen = [];

function watched(listener) {
  return (req, res) => {
    const entry = { url: req.url, headers: req.headers, body: "", closedAt: null };
    const emit = req.emit;
    req.emit = function (event, ...rest) {
      if (event === "data") entry.body += rest[0];
      return emit.call(this, event, ...rest);
    };
    res.on("close", () => {
      if (!res.writableFinished) entry.closedAt = Date.now();
    });
    seen.push(entry);
    return listener(req, res);
  };
}

const createServer = http.createServer;
http.createServer = (...given) => createServer(...given.map((one) => (typeof one === "function" ? watched(one) : one)));
syncBuiltinESMExports();

const { LLMock } = await import("@copilotkit/aimock");
const mock = new LLMock({ port: 0, host: "127.0.0.1", logLevel: "silent" });

const numbers = (count) => Array.from({ length: count }, (_, i) => `${i + 1} `).join("");
const usage = { prompt_tokens: 12, completion_tokens: 60 };
const pace = { streamingProfile: { ttft: 5, tps: 200 } };
const weather = { name: "weather", arguments: '{"city":"Bern"}', id: "call_weather" };
const news = { name: "news", arguments: "{}", id: "call_news" };
const error = (status, more = {}) => ({
  error: { message: `it failed with sk-mock-secret-1234567 at http://10.1.2.3:99/x`, type: "mock_error" }, status, ...more,
});

mock.on({ hasToolResult: true }, { content: "It rains in Bern." });
mock.onMessage("count to sixty", { content: numbers(60), usage });
mock.onMessage("think first", { content: "Forty-two.", reasoning: "Six times seven is forty-two.", usage });
mock.onMessage("too long", { content: numbers(5), finishReason: "length" });
mock.onMessage("something bad", (req) => ({
  content: "I can",
  finishReason: req.model.startsWith("claude") ? "refusal" : req.model.includes("nova") ? "content_filtered" : "content_filter",
}));
mock.onMessage("use a tool", { toolCalls: [weather] });
mock.onMessage("use two tools", { content: "Let me see. ", toolCalls: [weather, news] });
mock.onMessage("without end", { content: numbers(4000) }, { chunkSize: 4, streamingProfile: { ttft: 5, tps: 50 } });
mock.onMessage("slow start", { content: "At last." }, { streamingProfile: { ttft: 800 } });
mock.onMessage("never begin", { content: "Never." }, { streamingProfile: { ttft: 60000 } });
mock.onMessage("error 401", error(401));
mock.onMessage("error 429", error(429, { retryAfter: 7 }));
mock.onMessage("error 500", error(500));
mock.onMessage("error 529", error(529));
mock.onMessage("malformed", { content: "never seen" }, { chaos: { malformedRate: 1 } });
mock.onMessage("truncated", { content: numbers(60) }, { chunkSize: 4, truncateAfterChunks: 12, ...pace });
mock.onMessage("disconnect", { content: numbers(600) }, { chunkSize: 4, disconnectAfterMs: 150, ...pace });

const url = await mock.start();
const control = createServer((req, res) => res.end(JSON.stringify(seen)));
control.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ url, control: control.address().port })));
process.stdin.on("close", () => process.exit(0)).resume();
