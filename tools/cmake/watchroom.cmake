# What every folder's CMakeLists.txt leans on: one set of warnings, one way to declare a library, a
# program and its tests. A test file is `x_test.cpp` beside `x.cpp`.
include(GoogleTest)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the tree, so that a second clone finds what the first one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
    ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()

add_library(watchroom_options INTERFACE)
target_include_directories(watchroom_options INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_BINARY_DIR})
target_link_libraries(watchroom_options INTERFACE Threads::Threads)
target_compile_options(watchroom_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Woverloaded-virtual)
# fmt and spdlog come compiled from Debian; without these every file would compile them again.
target_compile_definitions(watchroom_options INTERFACE SPDLOG_COMPILED_LIB SPDLOG_FMT_EXTERNAL
  WATCHROOM_VERSION="${PROJECT_VERSION}")
if(WATCHROOM_WERROR)
  target_compile_options(watchroom_options INTERFACE -Werror)
endif()
if(WATCHROOM_SANITIZE)
  target_compile_options(watchroom_options INTERFACE -fsanitize=${WATCHROOM_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(watchroom_options INTERFACE -fsanitize=${WATCHROOM_SANITIZE})
  if(WATCHROOM_SANITIZE MATCHES "thread")
    target_compile_options(watchroom_options INTERFACE -Wno-tsan)
  else()
    target_compile_options(watchroom_options INTERFACE -fno-sanitize-recover=all)
    # g++ 12 sees ghosts under sanitizers: GCC bugs 105562, 105593.
    target_compile_options(watchroom_options INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
if(WATCHROOM_FUZZ)
  target_compile_options(watchroom_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
  target_link_options(watchroom_options INTERFACE -fsanitize=address,undefined)
endif()

# watchroom_library(NAME SUBFOLDERS a b … LIBRARIES …): every .cpp in the subfolders except tests.
function(watchroom_library name)
  cmake_parse_arguments(A "" "" "SUBFOLDERS;LIBRARIES" ${ARGN})
  set(sources)
  foreach(folder ${A_SUBFOLDERS})
    file(GLOB found CONFIGURE_DEPENDS ${folder}/*.cpp)
    list(FILTER found EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
    list(APPEND sources ${found})
  endforeach()
  add_library(${name} STATIC ${sources})
  target_link_libraries(${name} PUBLIC watchroom_options ${A_LIBRARIES})
endfunction()

# watchroom_tests(NAME SUBFOLDERS a b … LIBRARIES … [LABELS …]): one program of all x_test.cpp, each test known to
# ctest by its sentence. Labels: unit, and the issues that asked for it.
function(watchroom_tests name)
  cmake_parse_arguments(A "" "" "SUBFOLDERS;LIBRARIES;LABELS" ${ARGN})
  if(WATCHROOM_FUZZ)
    return()
  endif()
  set(sources)
  foreach(folder ${A_SUBFOLDERS})
    file(GLOB found CONFIGURE_DEPENDS ${folder}/*_test.cpp)
    list(APPEND sources ${found})
  endforeach()
  if(NOT sources)
    return()
  endif()
  find_package(GTest REQUIRED)
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${A_LIBRARIES} GTest::gmock GTest::gtest_main)
  # Only where it is used: a path in a definition makes every clone compile anew.
  foreach(source ${sources})
    file(STRINGS ${source} uses REGEX "WATCHROOM_SOURCE_DIR|_peer\\.hpp" LIMIT_COUNT 1)
    if(uses)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS WATCHROOM_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    endif()
  endforeach()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 60)
  # A list of labels does not pass through the discovery: ctest sets them when it has read the tests.
  set(labels unit spine ${A_LABELS})
  if(name MATCHES "^agent")
    string(APPEND labels ";agent")
  endif()
  file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake
    "if(DEFINED ${name}_TESTS)\n  set_tests_properties(\${${name}_TESTS} PROPERTIES LABELS \"${labels}\")\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
endfunction()

# watchroom_fuzzer(NAME SOURCE CORPUS-FOLDER LIBRARIES …): only in the fuzz preset (clang, libFuzzer).
function(watchroom_fuzzer name source)
  if(NOT WATCHROOM_FUZZ)
    return()
  endif()
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${ARGN})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()

# watchroom_table(TARGET FOLDER TYPE FUNCTION HEADER): every FOLDER/<name>.cpp (or FOLDER/<name>/<name>.cpp) defines
# a constant `<name>` of TYPE; writes the function that lists them, so that adding one is adding its file.
function(watchroom_table target folder type function header)
  file(GLOB found CONFIGURE_DEPENDS ${folder}/*.cpp ${folder}/*/*.cpp)
  list(FILTER found EXCLUDE REGEX "_test\\.cpp$")
  set(declarations "")
  set(entries "")
  foreach(source ${found})
    get_filename_component(name ${source} NAME_WE)
    string(APPEND declarations "extern const ${type} ${name};\n")
    string(APPEND entries "&${name}, ")
  endforeach()
  set(content "// Generated by CMake from the files in ${folder}.\n#include \"${header}\"\n\n\
namespace watchroom::aggregator {\n\n${declarations}\nstd::span<const ${type}* const> ${function}() {\n\
  static const ${type}* const all[] = {${entries}};\n  return all;\n}\n\n}  // namespace watchroom::aggregator\n")
  file(CONFIGURE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp CONTENT "${content}" @ONLY)
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
endfunction()

# watchroom_text(TARGET FILE FUNCTION NAMESPACE): the file's text as `std::string_view FUNCTION()`.
function(watchroom_text target source function namespace)
  file(READ ${source} text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(GENERATE OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp CONTENT "// Generated by CMake from ${source}.\n\
#include <string_view>\n\nnamespace ${namespace} {\n\nstd::string_view ${function}() {\n\
  return R\"==text==(${text})==text==\";\n}\n\n}  // namespace ${namespace}\n")
  target_sources(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
endfunction()
