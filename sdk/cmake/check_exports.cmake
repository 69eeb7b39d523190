# SPDX-License-Identifier: Apache-2.0
# cmake -DNM=nm -DPLUGIN=x.so -P check_exports.cmake
# Fails unless the plugin's only defined dynamic symbol is the data symbol rh_plugin_entry.
execute_process(COMMAND ${NM} -D --defined-only --format=posix ${PLUGIN}
                OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(STRIP "${symbols}" symbols)
if(NOT symbols MATCHES "^rh_plugin_entry [BDRV] [^\n]*$")
  message(FATAL_ERROR "${PLUGIN} exports\n${symbols}\nexpected the data symbol rh_plugin_entry alone")
endif()
