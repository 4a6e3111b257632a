/*
 * What the sanitizers' runtimes are told in sanitizer builds, for programs that have no environment and cannot open
 * files. Every executable of such a build has this file in it.
 */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__tsan_default_options(void);

/* Leaks are found by live-object counts; looking names up would open files, which the seccomp filter answers by a kill. */
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
    return "detect_leaks=0:symbolize=0:abort_on_error=1:handle_abort=0:detect_stack_use_after_return=0";
}

__attribute__((visibility("default"))) const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:abort_on_error=1:symbolize=0:print_stacktrace=1";
}

__attribute__((visibility("default"))) const char *__tsan_default_options(void)
{
    return "halt_on_error=1:abort_on_error=1:symbolize=0:die_after_fork=0:report_signal_unsafe=0";
}
