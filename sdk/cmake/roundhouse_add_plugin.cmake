# SPDX-License-Identifier: Apache-2.0
# roundhouse_add_plugin(): everything about building an engine plugin that is not its code.
include_guard(GLOBAL)

# roundhouse_add_plugin(NAME SOURCES file ... MANIFEST file.json ...
#                       [LIBRARIES lib ...] [MODEL directory] [NO_CONFORMANCE])
#
# Makes the target NAME, a module NAME.so that exports rh_plugin_entry and nothing else, and puts it with its
# manifest into ${PROJECT_BINARY_DIR}/engines and, at installation, into
# ${CMAKE_INSTALL_LIBDIR}/roundhouse/engines. The manifest names its library as "NAME.so". It becomes NAME.json;
# a plugin of several engines has a manifest for each, and the further ones keep their names.
# Registers the tests plugin.NAME.exports and, for each manifest M.json, plugin.M.conformance, which opens MODEL
# when given.
function(roundhouse_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_CONFORMANCE" "MODEL" "MANIFEST;SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "roundhouse_add_plugin(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_SOURCES OR NOT arg_MANIFEST)
    message(FATAL_ERROR "roundhouse_add_plugin(${name}): SOURCES and MANIFEST are required")
  endif()

  set(version_script ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.version)
  set(engines_dir ${PROJECT_BINARY_DIR}/engines)
  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE roundhouse::sdk ${arg_LIBRARIES})
  _roundhouse_plugin_language(${name})
  set_target_properties(${name} PROPERTIES
    PREFIX "" OUTPUT_NAME ${name} SUFFIX ".so"
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY $<1:${engines_dir}>
    LINK_DEPENDS ${version_script})
  target_link_options(${name} PRIVATE -Wl,--version-script=${version_script} -Wl,--no-undefined)

  _roundhouse_plugin_install(${name})
  _roundhouse_defer_exports(${name})
  set(target ${name})  # the name that a manifest gets beside the library
  foreach(manifest IN LISTS arg_MANIFEST)
    if(NOT target)
      get_filename_component(target ${manifest} NAME_WLE)
    endif()
    _roundhouse_plugin_manifest(${name} ${manifest} ${engines_dir}/${target}.json)
    if(NOT arg_NO_CONFORMANCE)
      _roundhouse_defer_conformance(${name} ${engines_dir}/${target}.json "${arg_MODEL}")
    endif()
    unset(target)
  endforeach()
endfunction()

# C11 and C++20, of those languages that the project uses.
function(_roundhouse_plugin_language name)
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if("C" IN_LIST languages)
    target_compile_features(${name} PRIVATE c_std_11)
  endif()
  if("CXX" IN_LIST languages)
    target_compile_features(${name} PRIVATE cxx_std_20)
  endif()
endfunction()

# Copies the manifest beside the library, after a check that it leads there.
function(_roundhouse_plugin_manifest name manifest target)
  get_filename_component(manifest ${manifest} ABSOLUTE)
  file(READ ${manifest} text)
  string(JSON library ERROR_VARIABLE problem GET "${text}" library)
  if(problem)
    message(FATAL_ERROR "${manifest}: ${problem}")
  endif()
  if(NOT library STREQUAL "${name}.so")
    message(FATAL_ERROR "${manifest}: library is \"${library}\", expected \"${name}.so\"")
  endif()
  configure_file(${manifest} ${target} COPYONLY)
  install(FILES ${target} DESTINATION ${CMAKE_INSTALL_LIBDIR}/roundhouse/engines)
endfunction()

# A macro, so that the installation's directories are known to what comes after it.
macro(_roundhouse_plugin_install name)
  include(GNUInstallDirs)
  install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/roundhouse/engines)
endmacro()

function(_roundhouse_defer_exports name)
  _roundhouse_defer_test(plugin.${name}.exports
    ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DPLUGIN=$<TARGET_FILE:${name}>
    -P ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/check_exports.cmake)
endfunction()

function(_roundhouse_defer_conformance name manifest model)
  get_filename_component(engine ${manifest} NAME_WLE)
  set(check $<TARGET_FILE:roundhouse::conformance> $<TARGET_FILE:${name}> --manifest ${manifest})
  if(model)
    list(APPEND check --model ${model})
  endif()
  _roundhouse_defer_test(plugin.${engine}.conformance ${check})
endfunction()

# Registered at the end of the project's top directory, so that enable_testing() may come before or after the
# plugin.
function(_roundhouse_defer_test test)
  set(call "add_test NAME [==[${test}]==] COMMAND")
  foreach(argument IN LISTS ARGN)
    string(APPEND call " [==[${argument}]==]")
  endforeach()
  cmake_language(EVAL CODE "cmake_language(DEFER DIRECTORY [==[${PROJECT_SOURCE_DIR}]==] CALL ${call})")
endfunction()
