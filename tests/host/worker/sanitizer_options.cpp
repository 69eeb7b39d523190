// SPDX-License-Identifier: Apache-2.0
// A sanitizer built into the tests' worker leaves crashes to the system: how they end a process is what is
// tested.

extern "C" const char* __asan_default_options();
extern "C" const char* __tsan_default_options();

extern "C" __attribute__((used)) const char* __asan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0";
}
extern "C" __attribute__((used)) const char* __tsan_default_options() {
  return "handle_segv=0:handle_abort=0:handle_sigbus=0";
}
