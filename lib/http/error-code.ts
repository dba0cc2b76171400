import type * as errors from '../errors.ts'

/** The `code` of an error of the plugin. */
export type ErrorCode = InstanceType<(typeof errors)[keyof typeof errors]>['code']
