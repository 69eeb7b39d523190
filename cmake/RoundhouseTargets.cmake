# SPDX-License-Identifier: Apache-2.0
# How this tree makes libraries and tests: one place for warnings, include roots and test labels.
include_guard(GLOBAL)

add_library(roundhouse_warnings INTERFACE)
target_compile_options(roundhouse_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror=return-type
  # g++ 12 warns falsely about std::string's operator+ (GCC bug 105651).
  -Wno-restrict)

# roundhouse_library(NAME ROOM SOURCES ... [PUBLIC lib ...] [PRIVATE lib ...])
# A static library of one room. ROOM is the top folder whose parent is the include root: code of the room
# `engines` includes "engines/tensor/tensor.h", code of the room `host` includes "host/manifest/manifest.h".
function(roundhouse_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} roundhouse_warnings)
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
    ROUNDHOUSE_BINARY_DIR="${PROJECT_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  if(arg_LABELS)
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
  endif()
  if(arg_TIMEOUT)
    set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
  endif()
endfunction()
