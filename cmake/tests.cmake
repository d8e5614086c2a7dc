# Tests stand beside their unit as <unit>_test.cc; each folder makes one
# program, so that one test reruns alone by --gtest_filter.
file(GLOB_RECURSE testing_sources CONFIGURE_DEPENDS testing/*.cc)
list(FILTER testing_sources EXCLUDE REGEX "(_test|_main)\\.cc$")
add_library(strata_testing STATIC ${testing_sources})
target_link_libraries(strata_testing PUBLIC strata_flags strata fmt::fmt
  PkgConfig::ISAL Threads::Threads GTest::gtest GTest::gmock)

# Under the thread sanitizer only the tests with threads are built: the others
# have nothing to show there.
function(strata_add_tests name)
  set(sources ${ARGN})
  if(STRATA_SANITIZE STREQUAL "thread")
    foreach(source IN LISTS ARGN)
      file(STRINGS ${source} threads LIMIT_COUNT 1
        REGEX "std::thread|runtime/(thread_runtime|service_pool)\\.h|net/curl_")
      if(NOT threads)
        list(REMOVE_ITEM sources ${source})
      endif()
    endforeach()
  endif()
  if(sources)
    add_executable(${name} ${sources})
    target_link_libraries(${name} PRIVATE strata_testing strata
      GTest::gtest_main OpenSSL::Crypto)
    target_compile_definitions(${name} PRIVATE
      STRATA_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
      STRATA_BINARY_DIR="${PROJECT_BINARY_DIR}")
    if(NOT STRATA_SANITIZE)
      # Half the time to build; what they test is optimised all the same.
      target_compile_options(${name} PRIVATE -O0)
    endif()
    gtest_discover_tests(${name} TEST_PREFIX ${name}: NO_PRETTY_VALUES
      DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 600)
  endif()
endfunction()

foreach(folder IN LISTS STRATA_FOLDERS ITEMS cli)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/${folder}/*_test.cc)
  strata_add_tests(${folder}_tests ${sources})
endforeach()
if(TARGET cli_tests)
  target_link_libraries(cli_tests PRIVATE strata_cli_commands)
endif()
file(GLOB_RECURSE sources CONFIGURE_DEPENDS testing/*_test.cc)
strata_add_tests(testing_tests ${sources})
file(GLOB sources CONFIGURE_DEPENDS tests/*_test.cc)
list(FILTER sources EXCLUDE REGEX "planted_faults_test\\.cc$")
strata_add_tests(system_tests ${sources})
if(TARGET strata_cli AND TARGET system_tests)
  add_dependencies(system_tests strata_cli)
endif()

# What runs against servers of others, which ctest starts and stops. Each test
# is one program, since it is the servers that take their time.
set(servers ${PROJECT_SOURCE_DIR}/testing/servers)
foreach(server ceph azurite)
  set(directory ${PROJECT_BINARY_DIR}/servers/${server})
  foreach(action start stop)
    add_test(NAME server:${server}:${action}
      COMMAND ${servers}/${server} ${action} ${directory})
    set_tests_properties(server:${server}:${action} PROPERTIES TIMEOUT 300)
  endforeach()
  set_tests_properties(server:${server}:start PROPERTIES
    FIXTURES_SETUP ${server})
  set_tests_properties(server:${server}:stop PROPERTIES
    FIXTURES_CLEANUP ${server})
endforeach()

# The same tests for each kind of bucket; tests/servers/<server>_buckets.cc says
# where its buckets are.
function(strata_add_server_test name server)
  list(TRANSFORM ARGN PREPEND tests/servers/)
  add_executable(${name} ${ARGN} tests/servers/${server}_buckets.cc)
  target_link_libraries(${name} PRIVATE strata_testing strata
    GTest::gtest_main GTest::gmock)
  target_compile_definitions(${name} PRIVATE
    STRATA_BINARY_DIR="${PROJECT_BINARY_DIR}")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT 600
    FIXTURES_REQUIRED ${server})
endfunction()
set(s3_server ceph)
set(azure_server azurite)
foreach(kind s3 azure)
  set(server ${${kind}_server})
  strata_add_server_test(${kind}_contract_test ${server}
    bucket_contract_test.cc ${kind}_server_test.cc)
  strata_add_server_test(${kind}_engine_test ${server} bucket_engine_test.cc)
  if(TARGET strata_cli)
    strata_add_server_test(${kind}_cli_test ${server} bucket_cli_test.cc)
    add_dependencies(${kind}_cli_test strata_cli)
  endif()
endforeach()

# strata/c.h, as other languages use it. Python would need the sanitizers' own
# libraries loaded before it.
if(NOT STRATA_SANITIZE STREQUAL "thread")
  add_executable(c_api_test tests/c_api_test.c)
  target_compile_options(c_api_test PRIVATE
    -std=c99 -Wall -Wextra -Wpedantic -Werror)
  target_link_libraries(c_api_test PRIVATE strata_c)
  if(STRATA_SANITIZE)
    set_target_properties(c_api_test PROPERTIES LINKER_LANGUAGE CXX)
    target_link_options(c_api_test PRIVATE -fsanitize=${STRATA_SANITIZE})
  endif()
  add_test(NAME c_api:c COMMAND c_api_test ${PROJECT_BINARY_DIR}/c_api_c)
endif()
if(NOT STRATA_SANITIZE)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_test(NAME c_api:python
    COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/tests/c_api_test.py
      $<TARGET_FILE:strata_c>)

  # Documents: the reference can be made, and links lead somewhere.
  find_program(DOXYGEN doxygen)
  add_test(NAME docs:reference
    COMMAND ${CMAKE_COMMAND} -DDOXYGEN=${DOXYGEN}
      -DPYTHON=${Python3_EXECUTABLE} -DSOURCE_DIR=${PROJECT_SOURCE_DIR}
      -DWORK_DIR=${PROJECT_BINARY_DIR}/reference_test
      -P ${PROJECT_SOURCE_DIR}/tests/reference_test.cmake)
  add_test(NAME docs:links
    COMMAND ${Python3_EXECUTABLE} -B ${PROJECT_SOURCE_DIR}/tests/links_test.py
      ${PROJECT_SOURCE_DIR})
endif()

# The simulator: one seed, one run (docs/internals/simulation.md).
add_executable(strata-sim testing/sim_main.cc)
target_link_libraries(strata-sim PRIVATE strata_testing strata)

# The simulation once more, with faults that tests switch on: what can be
# faulty is compiled with the switches and stands in front of the library.
# Once is enough: the sanitizers have nothing to find in planted mistakes.
if(NOT STRATA_SANITIZE)
  set(faulty_sources "")
  foreach(source IN LISTS STRATA_SOURCES)
    file(STRINGS ${source} faults LIMIT_COUNT 1 REGEX "base/planted_fault\\.h")
    if(faults)
      list(APPEND faulty_sources ${source})
    endif()
  endforeach()
  add_library(strata_faulty OBJECT ${faulty_sources})
  target_compile_definitions(strata_faulty PUBLIC STRATA_PLANTED_FAULTS)
  target_link_libraries(strata_faulty PRIVATE strata_flags PkgConfig::ISAL
    fmt::fmt Threads::Threads)
  add_executable(planted_faults_tests tests/planted_faults_test.cc)
  target_link_libraries(planted_faults_tests PRIVATE strata_faulty
    strata_testing strata GTest::gtest_main)
  gtest_discover_tests(planted_faults_tests NO_PRETTY_VALUES
    TEST_PREFIX planted_faults_tests:
    DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 600)
  set(shipped strata strata_c)
  if(TARGET strata_cli)
    list(APPEND shipped strata_cli)
  endif()
  list(TRANSFORM shipped REPLACE "(.+)" "$<TARGET_FILE:\\1>")
  add_test(NAME planted_faults:symbols
    COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} "-DSHIPPED=${shipped}"
      -DFAULTY=$<TARGET_FILE:planted_faults_tests>
      -P ${PROJECT_SOURCE_DIR}/tests/planted_symbols_test.cmake)
endif()
