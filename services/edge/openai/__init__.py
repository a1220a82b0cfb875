"""OpenAI's bodies, objects, ids and errors; the streams are in services/edge/wires."""
