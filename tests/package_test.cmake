# One test of the installed package: cmake -DTEST=<name> ... -P this file.
# cmake/package_tests.cmake gives the names and the variables:
#   BUILD_DIR, SOURCE_DIR, WORK_DIR  of the tree; an empty folder of ours
#   CXX, C                           the compilers
#   GENERATOR, VERSION
cmake_minimum_required(VERSION 3.25)
set(prefix ${WORK_DIR}/prefix)

# run(<directory> <command>...): fails the test unless it exits with 0. What it
# prints on standard output is in `output`.
function(run directory)
  file(MAKE_DIRECTORY ${directory})
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${directory}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT result STREQUAL 0)
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}\nanswered ${result}\n${output}${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect found expected)
  if(NOT found STREQUAL expected)
    message(FATAL_ERROR "expected '${expected}', found '${found}'")
  endif()
endfunction()

# Runs in a folder of its own: the examples make their stores where they are.
function(run_example program expected)
  file(REMOVE_RECURSE ${program}.run)
  run(${program}.run ${program})
  expect("${output}" "${expected}")
endfunction()

function(test_install)
  file(REMOVE_RECURSE ${WORK_DIR})
  run(${WORK_DIR} ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix})
  run(${WORK_DIR} ${prefix}/bin/strata --version)
  expect("${output}" "strata ${VERSION}\n")
  file(GLOB headers RELATIVE ${SOURCE_DIR}/include/strata
    ${SOURCE_DIR}/include/strata/*)
  foreach(header IN LISTS headers)
    if(NOT EXISTS ${prefix}/include/strata/${header})
      message(FATAL_ERROR "include/strata/${header} was not installed")
    endif()
  endforeach()
endfunction()

# Each header says all that it needs, to whoever has only the package.
function(test_headers)
  file(GLOB headers ${prefix}/include/strata/*.h)
  foreach(header IN LISTS headers)
    run(${WORK_DIR} ${CXX} -std=c++20 -Wall -Wextra -Wpedantic -Werror
      -fsyntax-only -I${prefix}/include -include ${header} -x c++ /dev/null)
  endforeach()
  run(${WORK_DIR} ${C} -std=c99 -Wall -Wextra -Wpedantic -Werror -fsyntax-only
    -include ${prefix}/include/strata/c.h -x c /dev/null)
endfunction()

function(test_examples)
  file(REMOVE_RECURSE ${WORK_DIR}/examples)
  run(${WORK_DIR} ${CMAKE_COMMAND} -S ${SOURCE_DIR}/examples
    -B ${WORK_DIR}/examples -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${prefix}
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_C_COMPILER=${C})
  file(STRINGS ${WORK_DIR}/examples/CMakeCache.txt found REGEX "^strata_DIR")
  if(NOT found MATCHES "=${prefix}/")
    message(FATAL_ERROR "another package was found: ${found}")
  endif()
  run(${WORK_DIR} ${CMAKE_COMMAND} --build ${WORK_DIR}/examples)
  run_example(${WORK_DIR}/examples/append_and_read "0 hello\n")
  run_example(${WORK_DIR}/examples/append_and_read_in_c "0 hello\n")
  run_example(${WORK_DIR}/examples/custom_cold_store "0 hello (cold)\n")
endfunction()

# pkg_config(<variable> <argument>...): as a list of words.
function(pkg_config words)
  file(GLOB_RECURSE pc ${prefix}/*/strata.pc)
  get_filename_component(folder ${pc} DIRECTORY)
  run(${WORK_DIR} ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${folder}
    pkg-config ${ARGN})
  string(STRIP "${output}" output)
  separate_arguments(output)
  set(${words} ${output} PARENT_SCOPE)
endfunction()

function(test_pkg_config)
  pkg_config(found --modversion strata)
  expect("${found}" "${VERSION}")
  pkg_config(flags --static --cflags --libs strata)
  set(program ${WORK_DIR}/pkg_config_example)
  run(${WORK_DIR} ${CXX} -std=c++20
    ${SOURCE_DIR}/examples/append_and_read.cc -o ${program} ${flags})
  run_example(${program} "0 hello\n")

  pkg_config(flags --cflags --libs strata-c)
  pkg_config(folder --variable=libdir strata-c)
  run(${WORK_DIR} ${C} -std=c99 ${SOURCE_DIR}/examples/append_and_read_in_c.c
    -o ${program}_in_c ${flags} -Wl,-rpath,${folder})
  run_example(${program}_in_c "0 hello\n")
endfunction()

# The C library shows the functions of its header, and nothing else.
function(test_c_symbols)
  file(STRINGS ${prefix}/include/strata/c.h lines REGEX "^[a-z].*strata_[a-z_]+\\(")
  list(TRANSFORM lines REPLACE "^.*(strata_[a-z_]+)\\(.*$" "\\1")
  list(SORT lines)
  file(GLOB_RECURSE library ${prefix}/*/libstrata_c.so)
  run(${WORK_DIR} nm -D --defined-only --format=just-symbols ${library})
  string(STRIP "${output}" symbols)
  string(REPLACE "\n" ";" symbols "${symbols}")
  list(SORT symbols)
  expect("${symbols}" "${lines}")
endfunction()

# The README shows what is compiled here.
function(test_readme)
  file(READ ${SOURCE_DIR}/README.md readme)
  file(READ ${SOURCE_DIR}/examples/append_and_read.cc example)
  string(FIND "${example}" "#include" code)
  string(SUBSTRING "${example}" ${code} -1 example)
  string(FIND "${readme}" "```cpp\n${example}```" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "README.md does not show examples/append_and_read.cc")
  endif()
endfunction()

cmake_language(CALL test_${TEST})
