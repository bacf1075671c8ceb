// Run by node where the openai package is installed: prints, as JSON, what the client sees of a server.
const OpenAI = require("openai");

async function main({ rest, model, texts }) {
  const urls = [];
  const client = new OpenAI({
    baseURL: `http://${rest}/v3`,
    apiKey: "unused",
    fetch: (url, init) => (urls.push(String(url)), fetch(url, init)),
  });
  const embed = async (extra) => {
    const answer = await client.embeddings.create({ model, input: texts, ...extra });
    return answer.data.map((item) => Array.from(item.embedding));
  };
  const refusal = async (call) => {
    const before = urls.length;
    try {
      await call();
    } catch (error) {
      const { status, code, param, message, requestID } = error;
      const requests = urls.length - before;
      return { name: error.constructor.name, status, code, param, message, requestID, requests };
    }
  };
  const answer = await client.embeddings.create({ model, input: texts });
  const listed = [];
  for await (const each of client.models.list()) listed.push(each.id);
  return {
    byDefault: await embed({}),
    withNull: await embed({ encoding_format: null }),
    floats: await embed({ encoding_format: "float" }),
    short: await embed({ dimensions: 16 }),
    model: answer.model,
    usage: answer.usage,
    indices: answer.data.map((item) => item.index),
    listed,
    retrieved: (await client.models.retrieve(model)).id,
    retrievedAt: urls.at(-1),
    unknown: await refusal(() => client.embeddings.create({ model: "gone", input: "x" })),
    empty: await refusal(() => client.embeddings.create({ model, input: [] })),
    tooLong: await refusal(() => client.embeddings.create({ model, input: "word ".repeat(1000) })),
  };
}

main(JSON.parse(require("node:fs").readFileSync(0, "utf8"))).then((seen) =>
  console.log(JSON.stringify(seen)),
);
