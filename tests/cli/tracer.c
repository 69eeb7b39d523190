/* SPDX-License-Identifier: Apache-2.0
 * A library that is no plugin: loading it makes the file that ROUNDHOUSE_TEST_TRACE names. */
#include <stdio.h>
#include <stdlib.h>

__attribute__((constructor)) static void leave_trace(void) {
  const char* name = getenv("ROUNDHOUSE_TEST_TRACE");
  if (name == NULL) return;
  FILE* file = fopen(name, "w");
  if (file != NULL) fclose(file);
}
