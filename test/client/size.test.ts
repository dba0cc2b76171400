import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Plugin } from 'esbuild'
import t from 'tap'

const root = join(import.meta.dirname, '..', '..')

const withoutPasskeys: Plugin = {
  name: 'without passkeys',
  setup ({ onLoad }) {
    onLoad({ filter: /client[\\/]passkeys\.ts$/ }, () => ({ contents: 'export const createPasskeys = () => {}', loader: 'ts' }))
  },
}

/** Bytes that a page loads, as the package has them, and what they import. */
async function sizeOf (...plugins: Plugin[]) {
  const { outputFiles: [file], metafile } = await build({
    entryPoints: [join(root, 'lib', 'client', 'index.ts')],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    metafile: true,
    plugins,
  })
  return { bytes: gzipSync(file!.contents, { level: 9 }).length, inputs: Object.keys(metafile.inputs) }
}

t.test('the client is small, and imports nothing that is not its own', async (t) => {
  const { bytes, inputs } = await sizeOf()
  t.ok(bytes <= 3500, `${bytes} bytes with passkeys`)
  t.ok(inputs.every((path) => path.includes('lib/client/')), inputs.join())
  const { bytes: core } = await sizeOf(withoutPasskeys)
  t.ok(core <= 2500, `${core} bytes without`)
})
