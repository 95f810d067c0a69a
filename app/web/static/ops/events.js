// Server-sent events over `fetch`, which sends the key in a header as `EventSource` cannot.

/** The events of a stream, each {event, data}; ends with it. Comments, which keep it open, are passed over. */
export async function* eventsOf(stream) {
  let block = { event: "message", data: [] };
  for await (const line of linesOf(stream)) {
    if (line === "") {
      if (block.data.length) yield { event: block.event, data: block.data.join("\n") };
      block = { event: "message", data: [] };
    } else if (line.startsWith("event:")) block.event = valueOf(line);
    else if (line.startsWith("data:")) block.data.push(valueOf(line));
  }
}

const valueOf = (line) => line.slice(line.indexOf(":") + 1).replace(/^ /, "");

async function* linesOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) yield line.replace(/\r$/, "");
  }
}
