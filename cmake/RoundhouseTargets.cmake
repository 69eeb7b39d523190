# SPDX-License-Identifier: Apache-2.0
# How this tree makes libraries and tests: one place for warnings, include roots and test labels.
include_guard(GLOBAL)

find_package(fmt REQUIRED)

add_library(roundhouse_warnings INTERFACE)
target_compile_options(roundhouse_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror=return-type
  # g++ 12 warns falsely about std::string's operator+ (GCC bug 105651).
  -Wno-restrict
  # It also warns falsely about parts of std::string that it has inlined (GCC bugs 80635, 105329), which shows where
  # a precompiled header hides that they are the system's.
  "$<$<BOOL:$<TARGET_PROPERTY:ROUNDHOUSE_PRECOMPILED>>:-Wno-maybe-uninitialized;-Wno-array-bounds;-Wno-stringop-overflow>")

# Executables are compiled like libraries, so that both can use one precompiled header; they are still linked as
# position-independent executables.
set(CMAKE_CXX_COMPILE_OPTIONS_PIE ${CMAKE_CXX_COMPILE_OPTIONS_PIC})

# Engines compute and are optimised fully (-O3 in the preset); the host moves bytes and tests check them, so that
# time spent on optimising them is lost. The flags are those of a precompiled header too: one for each kind.
function(roundhouse_precompiled kind header)
  add_library(precompiled_${kind} STATIC ${PROJECT_SOURCE_DIR}/cmake/precompiled/precompiled.cpp)
  target_precompile_headers(precompiled_${kind} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled/${header})
  # The same warnings too: -Wpedantic changes what is predefined.
  target_link_libraries(precompiled_${kind} PRIVATE roundhouse_warnings)
  roundhouse_compile_as(${kind} precompiled_${kind})
endfunction()

# Several files of a target are compiled as one, which parses and instantiates once what they share: a third of the
# time. Each file still has to stand alone (`./dev check lint` reads them so), and names in unnamed namespaces are told
# apart within a target. Files of vector kernels are compiled alone: each includes itself once for each processor.
option(ROUNDHOUSE_UNITY "Compile several files of a target as one" ON)
set(roundhouse_unity_files 8)

# roundhouse_compile_as(KIND TARGET): the options and the precompiled header of host, engines or tests.
function(roundhouse_compile_as kind target)
  if(ROUNDHOUSE_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${roundhouse_unity_files})
    # A source that another file includes looks like a header to g++, which then minds its unnamed namespaces.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-subobject-linkage>)
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources INCLUDE REGEX "^simd/")
    set_source_files_properties(${sources} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  if(NOT kind STREQUAL engines)
    target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:-O1>)
  endif()
  # Part of the precompiled headers: all who share one agree about its definitions.
  target_link_libraries(${target} PRIVATE fmt::fmt)
  set_target_properties(${target} PROPERTIES ROUNDHOUSE_PRECOMPILED ON)
  if(NOT target STREQUAL precompiled_${kind})
    target_precompile_headers(${target} REUSE_FROM precompiled_${kind})
  endif()
endfunction()

roundhouse_precompiled(host host.h)
roundhouse_precompiled(engines standard.h)

# roundhouse_library(NAME ROOM SOURCES ... [PUBLIC lib ...] [PRIVATE lib ...])
# A static library of one room. ROOM is the top folder whose parent is the include root: code of the room
# `engines` includes "engines/tensor/tensor.h", code of the room `host` includes "host/manifest/manifest.h".
function(roundhouse_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} roundhouse_warnings)
  file(RELATIVE_PATH room ${PROJECT_SOURCE_DIR} ${CMAKE_CURRENT_SOURCE_DIR})
  if(room MATCHES "^(host|engines)")
    roundhouse_compile_as(${CMAKE_MATCH_1} ${name})
  elseif(room MATCHES "^tests")
    roundhouse_compile_as(tests ${name})
  endif()
endfunction()

# roundhouse_test(NAME SOURCES ... [LIBRARIES ...] [LABELS ...] [TIMEOUT seconds])
# A GoogleTest program registered as one CTest test. ROUNDHOUSE_FIXTURES names the committed fixtures.
function(roundhouse_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} roundhouse_warnings GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    ROUNDHOUSE_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures"
    ROUNDHOUSE_MODELS="${PROJECT_SOURCE_DIR}/manifests/models"
    ROUNDHOUSE_BINARY_DIR="${PROJECT_BINARY_DIR}"
    ROUNDHOUSE_SANITIZED=$<BOOL:${ROUNDHOUSE_SANITIZED}>)
  roundhouse_compile_as(tests ${name})
  add_test(NAME ${name} COMMAND ${name})
  if(arg_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
  endif()
  if(arg_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
endfunction()
