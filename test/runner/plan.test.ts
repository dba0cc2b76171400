import t from 'tap'
import { planOf, type TestFile } from './plan.ts'

const file = (path: string, ...lines: string[]): TestFile =>
  ({ path, says: lines.map((line) => `// ${line}\n`).join('') })
const database = 'sqlite'

t.test('files that say nothing share processes, in their order, each of them once', async (t) => {
  const paths = Array.from({ length: 40 }, (_, index) => `test/${index}.test.ts`)
  const plan = planOf(paths.map((path) => file(path)), { database })
  t.same(plan.flat(), paths)
  const isFair = (files: string[]) => Math.abs(files.length - 40 / plan.length) < 1
  t.ok(plan.length > 1 && plan.every(isFair), 'about as many in each')
})

t.test('a file that says why has a process of its own', async (t) => {
  const files = [
    file('one'),
    file('other', 'In a process of its own: it waits.'),
    file('third', 'In a process of its own: '),
    file('fourth', 'In a process of its own, for 30 s: it waits.'),
    file('fifth', 'In a process of its own, for long: it waits.'),
  ]
  t.same(planOf(files, { database }), [['one', 'third', 'fifth'], ['fourth'], ['other']])
})

t.test('processes that take longest come first, and those that files share about in the middle', async (t) => {
  const files = [
    file('shared'),
    ...[0, 30, 1000, 100].map((seconds) => file(`${seconds}`, `In a process of its own, for ${seconds} s: it waits.`)),
  ]
  t.same(planOf(files, { database }), [['1000'], ['100'], ['shared'], ['30'], ['0']])
})

t.test('what asks for the whole shares no process with others, since it is not asked what it covers', async (t) => {
  t.same(planOf([file('test/users/a.test.ts'), file('test/whole/a.test.ts'), file('test/z.test.ts')], { database }), [
    ['test/users/a.test.ts', 'test/z.test.ts'],
    ['test/whole/a.test.ts'],
  ])
})

t.test('on a server those run that say that they do', async (t) => {
  const files = [
    file('one', 'On each database.', 'In a process of its own, for 70 s: it waits.'),
    file('other'),
    file('third', 'On each database.'),
  ]
  t.same(planOf(files, { database: 'postgresql' }), [['one'], ['third']])
  t.same(planOf([file('other')], { database: 'mariadb' }), [])
})

t.test('in trials those run that have more rounds there', async (t) => {
  const files = [
    file('one', 'With more rounds in trials.'),
    file('other'),
    file('third', 'On each database.', 'With more rounds in trials.'),
  ]
  t.same(planOf(files, { database, trials: true }), [['one', 'third']])
  t.same(planOf(files, { database: 'postgresql', trials: true }), [['third']])
})
