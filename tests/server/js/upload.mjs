// Uploads a file with tus-js-client, breaks off after the first chunk, goes on with another instance of the client, and
// prints what came of it: node upload.mjs ENDPOINT KEY FILE CHUNK
import { createReadStream, statSync } from "node:fs";
import { basename } from "node:path";
import * as tus from "tus-js-client";

const [endpoint, key, file, chunk] = process.argv.slice(2);

const options = {
  endpoint,
  headers: { Authorization: `Bearer ${key}` },
  chunkSize: Number(chunk),
  uploadSize: statSync(file).size,
  metadata: { filename: basename(file), filetype: "image/jpeg" },
  retryDelays: [50, 100, 200],
};

function begin() {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(createReadStream(file), {
      ...options,
      onError: reject,
      onSuccess: () => reject(new Error("it should have been broken off")),
      onChunkComplete: async (_size, accepted) => {
        await upload.abort();
        resolve({ url: upload.url, accepted });
      },
    });
    upload.start();
  });
}

function goOn(url) {
  return new Promise((resolve, reject) => {
    let first = null;
    const upload = new tus.Upload(createReadStream(file), {
      ...options,
      uploadUrl: url,
      onError: reject,
      onProgress: (sent) => (first ??= sent),
      onSuccess: () => resolve({ first }),
    });
    upload.start();
  });
}

const { url, accepted } = await begin();
const { first } = await goOn(url);

// One that is given up leaves nothing behind.
const other = await begin();
await tus.Upload.terminate(other.url, options);

console.log(JSON.stringify({ url, accepted, first, other: other.url }));
