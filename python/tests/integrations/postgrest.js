// Calls functions by @supabase/postgrest-js as it is told: a line of JSON in, one out.
const { PostgrestClient } = require("@supabase/postgrest-js");

async function call({ url, token, schema, name, args, get }) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const client = new PostgrestClient(url, { headers, schema });
  const { data, error, status } = await client.rpc(name, args, { get });
  return { data, status, error: error && { ...error, message: error.message } };
}

(async () => {
  for await (const line of require("readline").createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await call(JSON.parse(line))));
  }
})();
