/* SPDX-License-Identifier: Apache-2.0
 * A library that the plugin missing_library needs and the dynamic linker will not find. */
void rh_test_function_of_a_removed_library(void);
void rh_test_function_of_a_removed_library(void) {
}
