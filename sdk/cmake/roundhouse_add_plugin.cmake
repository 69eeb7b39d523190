# SPDX-License-Identifier: Apache-2.0
# roundhouse_add_plugin(): everything about building an engine plugin that is not its code.
include_guard(GLOBAL)

# roundhouse_add_plugin(NAME SOURCES file ... [MANIFEST file.json ...]
#                       [LIBRARIES lib ...] [MODEL directory] [NO_CONFORMANCE] [COMPLETE_MANIFEST])
#
# Makes the target NAME, a module NAME.so that exports rh_plugin_entry and nothing else, and puts it with its
# manifest into ${PROJECT_BINARY_DIR}/engines and, at installation, into
# ${CMAKE_INSTALL_LIBDIR}/roundhouse/engines.
#
# The manifest is written when the library has been linked, from what the library says. MANIFEST is a file of what it
# cannot say: "score" by processor, "environment", "network", "x-" keys; what it repeats must be what the library
# says, or the build stops. It becomes NAME.json; a plugin of several engines has a file with the "id" of each, and the
# further ones keep their names.
# COMPLETE_MANIFEST takes the files as they are, with every key, for a library that the machine that builds cannot load;
# that is so where CMake crosscompiles without an emulator.
#
# Registers the tests plugin.NAME.exports and, for each manifest M.json, plugin.M.conformance, which opens MODEL
# when given.
function(roundhouse_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NO_CONFORMANCE;COMPLETE_MANIFEST" "MODEL" "MANIFEST;SOURCES;LIBRARIES")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "roundhouse_add_plugin(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
    set(arg_COMPLETE_MANIFEST TRUE)
  endif()
  if(NOT arg_SOURCES)
    message(FATAL_ERROR "roundhouse_add_plugin(${name}): SOURCES is required")
  endif()
  if(arg_COMPLETE_MANIFEST AND NOT arg_MANIFEST)
    message(FATAL_ERROR "roundhouse_add_plugin(${name}): MANIFEST is required, as nothing can be asked of the library")
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
  set(stated ${arg_MANIFEST})
  if(NOT stated)
    set(stated NONE)
  endif()
  set(target ${name})  # the name that a manifest gets beside the library
  foreach(manifest IN LISTS stated)
    if(NOT target)
      get_filename_component(target ${manifest} NAME_WLE)
    endif()
    if(arg_COMPLETE_MANIFEST)
      _roundhouse_copy_manifest(${name} ${manifest} ${engines_dir}/${target}.json)
    else()
      _roundhouse_write_manifest(${name} ${manifest} ${engines_dir}/${target}.json)
    endif()
    install(FILES ${engines_dir}/${target}.json DESTINATION ${CMAKE_INSTALL_LIBDIR}/roundhouse/engines)
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

# Writes the manifest beside the library whenever that, or what `stated` says, has changed.
function(_roundhouse_write_manifest name stated target)
  set(file "")
  if(NOT stated STREQUAL NONE)
    get_filename_component(file ${stated} ABSOLUTE)
    set_property(TARGET ${name} APPEND PROPERTY LINK_DEPENDS ${file})
  endif()
  if(TARGET roundhouse-manifest)  # of the tree that builds the SDK itself
    add_dependencies(${name} roundhouse-manifest)
  endif()
  add_custom_command(TARGET ${name} POST_BUILD
    COMMAND ${CMAKE_CROSSCOMPILING_EMULATOR} $<TARGET_FILE:roundhouse::manifest> $<TARGET_FILE:${name}> ${target} ${file}
    BYPRODUCTS ${target}
    VERBATIM)
endfunction()

# Copies the manifest beside the library, after a check that it leads there.
function(_roundhouse_copy_manifest name manifest target)
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
