/**
 * What is the same for every run of `npm run mutate`: which files are changed, and which tests are asked, says
 * `test/mutate.ts`. A test file is a process of its own, and only those run that reach the change.
 */
export default {
  plugins: ['@stryker-mutator/tap-runner'],
  testRunner: 'tap',
  coverageAnalysis: 'perTest',
  disableTypeChecks: false,
  ignorePatterns: ['bench', 'dist', 'docs-api', '.tap', 'reports'],
  incremental: true,
  reporters: ['dots'],
  timeoutMS: 5000,
}
