// Writes the JavaScript of the package into a folder, by default dist: the modules of lib/ in a few files, since an app
// takes about as long to load a file as all that stands in it. They stay readable, each module below its path. TypeBox
// and uuid are among them, which are 220 files themselves; all other packages are imported. The client for pages is one
// small file.
import { copyFileSync, globSync, mkdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { build, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const [folder = join(root, 'dist')] = process.argv.slice(2)

/** Packages that are put into ours, each with its license. */
const included: Record<string, string> = { '@sinclair/typebox': 'license', uuid: 'LICENSE.md' }

/** Of another package. What those import that are put into ours is their own. */
const others: Plugin = {
  name: 'others',
  setup ({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      const isOther = kind !== 'entry-point' && !(path in included) && !importer.includes('node_modules')
      return isOther ? { path, external: true } : undefined
    })
  },
}

/** What stands for the migrations of one folder among all of a family. */
const nameOf = (folder: string) => relative(join(root, 'lib'), folder).replaceAll(/\W/g, '_')

/** The migrations of a family of databases, which are in many folders, in one file: an app needs all of them. */
const families: Plugin = {
  name: 'families',
  setup ({ onResolve, onLoad }) {
    onResolve({ filter: /^migrations-\w+$/ }, ({ path }) => ({ path, namespace: 'families' }))
    onLoad({ filter: /./, namespace: 'families' }, ({ path }) => {
      const files = globSync(`lib/**/${path.slice('migrations-'.length)}/migrations.ts`, { cwd: root })
      const contents = files.map((file) => {
        return `export * as ${nameOf(join(root, file, '..', '..'))} from './${file}'`
      })
      return { contents: contents.join('\n'), resolveDir: root, loader: 'js' }
    })
  },
}

/**
 * Modules of ours that are loaded when they are needed come with the others: a file of their own, and one for all that
 * some of them share, would cost every app more than it saves some. Not so migrations, which import a package that need
 * not be there, and commands, most of which need nothing of the plugin or all of it.
 */
const atOnce: Plugin = {
  name: 'at once',
  setup ({ onLoad }) {
    onLoad({ filter: /[\\/]lib[\\/].+\.ts$/ }, ({ path }) => {
      if (relative(root, path).startsWith(join('lib', 'cli'))) return
      const loaded: string[] = []
      const text = readFileSync(path, 'utf8')
        .replaceAll(/import\('\.\/(\w+)\/migrations\.ts'\)/g, (_, family) =>
          `import('migrations-${family}').then((all) => all.${nameOf(join(path, '..'))})`)
        .replaceAll(/import\('(\.[^']+)'\)/g, (_, module) => `Promise.resolve(loaded${loaded.push(module) - 1})`)
      const imports = loaded.map((module, index) => `import * as loaded${index} from '${module}'; `)
      return { contents: imports.join('') + text, loader: 'ts' }
    })
  },
}

await build({
  absWorkingDir: root,
  entryPoints: ['lib/index.ts', 'lib/testing.ts', 'lib/providers.ts', 'lib/cli/main.ts'],
  outbase: '.',
  outdir: folder,
  chunkNames: 'lib/chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.17',
  plugins: [families, others, atOnce],
})

// Pages load it as it is.
await build({
  absWorkingDir: root,
  entryPoints: ['lib/client/index.ts'],
  outfile: join(folder, 'lib', 'client', 'index.js'),
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
})

mkdirSync(join(folder, 'licenses'), { recursive: true })
for (const [name, license] of Object.entries(included)) {
  copyFileSync(join(root, 'node_modules', name, license), join(folder, 'licenses', `${name.replace(/.*\//, '')}.txt`))
}
