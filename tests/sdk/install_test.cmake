# SPDX-License-Identifier: Apache-2.0
# Installs the SDK into a folder of its own and builds plugins out of tree with it: the test card through
# find_package, the test card through cc and pkg-config, and the sample of CONTRACT.md. Each has to pass the
# installed checker.
#   cmake -DBUILD=dir -DSOURCE=dir -DWORK=dir -DLIBDIR=lib -DBINDIR=bin -DCC=cc -P install_test.cmake
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\n${output}")
  endif()
endfunction()

set(prefix ${WORK}/prefix)
set(checker ${prefix}/${BINDIR}/roundhouse-conformance)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK}/project)
run(${CMAKE_COMMAND} --install ${BUILD} --component sdk --prefix ${prefix})

# ---- a project of somebody else ----
file(COPY ${SOURCE}/plugins/testcard/ DESTINATION ${WORK}/project/testcard)
file(READ ${SOURCE}/sdk/CONTRACT.md contract)
string(REGEX MATCH "```cpp\n([^`]*)```" sample "${contract}")
string(REPLACE "#include \"roundhouse/plugin.hpp\"" "#include <vector>\n#include \"roundhouse/plugin.hpp\""
       sample "${CMAKE_MATCH_1}")
file(WRITE ${WORK}/project/grey.cpp "${sample}")
file(WRITE ${WORK}/project/grey.json [[{"x-note": "ours"}]])
# ---- and two engines in one plugin ----
string(REPLACE "GreyEngine final" "GreyEngine" pair "${sample}")
string(REPLACE "plugin_entry<GreyEngine>" "plugin_entry<GreyEngine, Blue>" pair "${pair}")
string(REPLACE "RH_EXPORT" [[
struct Blue final : GreyEngine {
  static roundhouse::Descriptor descriptor() {
    roundhouse::Descriptor blue = GreyEngine::descriptor();
    blue.id = "blue";
    return blue;
  }
};
RH_EXPORT]] pair "${pair}")
file(WRITE ${WORK}/project/pair.cpp "${pair}")
file(WRITE ${WORK}/project/pair.json [[{"id": "grey", "network": true}]])
file(WRITE ${WORK}/project/blue.json [[{"id": "blue"}]])
file(WRITE ${WORK}/project/CMakeLists.txt [[
cmake_minimum_required(VERSION 3.25)
project(somebody LANGUAGES C CXX)
find_package(roundhouse-sdk 1 REQUIRED)
add_subdirectory(testcard)
roundhouse_add_plugin(grey SOURCES grey.cpp MANIFEST grey.json)
roundhouse_add_plugin(pair SOURCES pair.cpp MANIFEST pair.json blue.json)
enable_testing()
]])
run(${CMAKE_COMMAND} -S ${WORK}/project -B ${WORK}/build -G Ninja -DCMAKE_PREFIX_PATH=${prefix}
    -DCMAKE_C_COMPILER_LAUNCHER=${LAUNCHER} -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${CMAKE_CTEST_COMMAND} --test-dir ${WORK}/build --no-tests=error --output-on-failure)
foreach(plugin testcard testcard-cpp grey)
  run(${checker} ${WORK}/build/engines/${plugin}.so --manifest ${WORK}/build/engines/${plugin}.json)
endforeach()
run(${CMAKE_COMMAND} --install ${WORK}/build --prefix ${WORK}/elsewhere)
run(${checker} ${WORK}/build/engines/pair.so --manifest ${WORK}/build/engines/blue.json)
file(READ ${WORK}/build/engines/grey.json manifest)
foreach(text "\"x-note\": \"ours\"" "\"library\": \"grey.so\"" "\"modelless\"")
  string(FIND "${manifest}" "${text}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "grey.json has no ${text}:\n${manifest}")
  endif()
endforeach()
foreach(file testcard.so testcard.json grey.so grey.json pair.so pair.json blue.json)
  if(NOT EXISTS ${WORK}/elsewhere/${LIBDIR}/roundhouse/engines/${file})
    message(FATAL_ERROR "${file} was not installed")
  endif()
endforeach()

# ---- a manifest that contradicts its plugin stops the build, and one that repeats it does not ----
function(build_with stated result)
  file(WRITE ${WORK}/project/grey.json "${stated}")
  execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK}/build --target grey
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(FIND "${output}" "${result}" found)
  if(result STREQUAL "" AND NOT status EQUAL 0)
    message(FATAL_ERROR "${stated}: ${output}")
  elseif(NOT result STREQUAL "" AND (status EQUAL 0 OR found EQUAL -1))
    message(FATAL_ERROR "${stated} gives ${status}, expected '${result}': ${output}")
  endif()
endfunction()
build_with([[{"name": "Gray"}]] [[name: is "Gray", the plugin says "Grey"]])
build_with([[{"capabilities": {"task": ["text-to-image"]}}]] "capabilities: is")
build_with([[{"score": {"default": 3, "cpu": {"avx2": 5}}}]] "score: is")
build_with([[{"id": "green"}]] [[no engine of the plugin is called "green"]])
build_with([[{"scores": 3}]] "scores: the plugin says nothing of it")
build_with([[{"name": ]] "is not a JSON object")
build_with([[{"name": "Grey", "score": {"default": 0, "cpu": {"avx2": 5}},
  "capabilities": {"feature": ["modelless"], "device": ["cpu"], "task": ["text-to-image"]}}]] "")
run(${checker} ${WORK}/build/engines/grey.so --manifest ${WORK}/build/engines/grey.json)

# ---- a library that the machine that builds cannot load ----
file(READ ${WORK}/build/engines/grey.json manifest)
string(REPLACE "grey.so" "whole.so" manifest "${manifest}")
file(WRITE ${WORK}/project/whole.json "${manifest}")
file(APPEND ${WORK}/project/CMakeLists.txt
     "roundhouse_add_plugin(whole SOURCES grey.cpp MANIFEST whole.json COMPLETE_MANIFEST)\n")
run(${CMAKE_COMMAND} --build ${WORK}/build --target whole)
run(${checker} ${WORK}/build/engines/whole.so --manifest ${WORK}/build/engines/whole.json)

# ---- no CMake at all ----
set(ENV{PKG_CONFIG_PATH} ${prefix}/${LIBDIR}/pkgconfig)
run(sh -ec "cd ${WORK}/project/testcard && ${CC} -std=c11 -O2 -Wall -Wextra -Werror \
$(pkg-config --cflags roundhouse-sdk) testcard.c texts.c -o testcard.so $(pkg-config --libs roundhouse-sdk) -lm")
run(${prefix}/${BINDIR}/roundhouse-manifest ${WORK}/project/testcard/testcard.so ${WORK}/project/testcard/testcard.json)
run(${checker} ${WORK}/project/testcard/testcard.so --manifest ${WORK}/project/testcard/testcard.json)
