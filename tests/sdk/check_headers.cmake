# SPDX-License-Identifier: Apache-2.0
# cmake -DCOMPILER=... -DSTANDARD=c11 -DLANGUAGE=c -DINCLUDE=dir;dir -DFOLDER=dir -DPATTERN=*.h -DFLAGS=... -P ...
# Compiles every header of a folder alone, with every warning an error.
file(GLOB_RECURSE headers ${FOLDER}/${PATTERN})
if(NOT headers)
  message(FATAL_ERROR "no ${PATTERN} in ${FOLDER}")
endif()
list(TRANSFORM INCLUDE PREPEND -I)
set(failures "")
foreach(header IN LISTS headers)
  # Through a file of its own: as the main file of a compilation a header would be judged differently.
  file(RELATIVE_PATH name ${FOLDER} ${header})
  string(MAKE_C_IDENTIFIER ${STANDARD}_${name} unit)
  file(WRITE ${WORK}/${unit} "#include \"${header}\"\n#include \"${header}\"\ntypedef int not_empty;\n")
  execute_process(COMMAND ${COMPILER} -std=${STANDARD} -Wall -Wextra -Wpedantic ${FLAGS} -Werror ${INCLUDE}
                          -fsyntax-only -x ${LANGUAGE} ${WORK}/${unit}
                  RESULT_VARIABLE result ERROR_VARIABLE messages)
  if(NOT result EQUAL 0)
    string(APPEND failures "${name}:\n${messages}\n")
  endif()
endforeach()
if(failures)
  message(FATAL_ERROR "${failures}")
endif()
