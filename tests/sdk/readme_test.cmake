# SPDX-License-Identifier: Apache-2.0
# Does what sdk/README.md says, with the installed SDK: writes the blocks that a file name stands above, and
# runs the others in their order; then once more with the sample in C++.
#   cmake -DBUILD=dir -DREADME=file -DWORK=dir -DLIBDIR=lib -DBINDIR=bin -P readme_test.cmake
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${WORK}/project
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

set(prefix ${WORK}/prefix)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/project)
run(${CMAKE_COMMAND} --install ${BUILD} --component sdk --prefix ${prefix})

# A block with a name above it goes into that file, a block of the shell into commands.sh.
file(WRITE ${WORK}/blocks.awk [[
/^`[A-Za-z_.]+`:$/ { split($0, part, "`"); name = part[2]; next }
/^```/ && !inside  { inside = 1; target = /sh$/ && !name ? "commands.sh" : name
                     if (!target) { print "a block without a file at line " NR; exit 1 }
                     next }
/^```$/            { inside = 0; name = ""; next }
inside             { print > target }
]])
run(awk -f ${WORK}/blocks.awk ${README})
foreach(file grey.c grey.cpp grey.json CMakeLists.txt commands.sh)
  if(NOT EXISTS ${WORK}/project/${file})
    message(FATAL_ERROR "README.md has no block for ${file}")
  endif()
endforeach()

set(ENV{CMAKE_PREFIX_PATH} ${prefix})
set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBDIR}/pkgconfig)
set(ENV{PATH} ${prefix}/${BINDIR}:$ENV{PATH})
set(ENV{CFLAGS} "-Wall -Wextra -Werror")
set(ENV{CXXFLAGS} "-Wall -Wextra -Werror")
run(sh -eux commands.sh)
run(sed -i "s/SOURCES grey.c /SOURCES grey.cpp /" CMakeLists.txt)
run(grep -q "SOURCES grey.cpp " CMakeLists.txt)
run(sh -eux commands.sh)
