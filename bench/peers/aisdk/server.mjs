// The AI SDK as people deploy it: streamText piped to the response as a UI message stream.
// Environment: PORT, MODEL_URL (an OpenAI-compatible base URL).
import http from 'node:http';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { convertToModelMessages, streamText } from 'ai';

const provider = createOpenAICompatible({
  name: 'bench',
  baseURL: process.env.MODEL_URL,
  apiKey: 'none',
  includeUsage: true,
});

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString());
}

const server = http.createServer(async (request, response) => {
  if (request.url === '/healthz') {
    response.end('ok');
    return;
  }
  try {
    const { messages } = await body(request);
    const result = streamText({
      model: provider('bench'),
      messages: await convertToModelMessages(messages),
      maxRetries: 0,
      onError: () => {},
    });
    result.pipeUIMessageStreamToResponse(response);
  } catch (error) {
    response.statusCode = 400;
    response.end(String(error));
  }
});

server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT), '127.0.0.1', 4096, () => console.log('listening'));
