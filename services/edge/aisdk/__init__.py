"""What clients of the Vercel AI SDK send, and what it asks of chat."""
