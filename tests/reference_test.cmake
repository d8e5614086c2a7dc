# The reference of the public headers (docs/Doxyfile) is made without a warning
# and has all of them: cmake -P this file, with
#   DOXYGEN, PYTHON        the programs
#   SOURCE_DIR, WORK_DIR   the tree; an empty folder of ours
cmake_minimum_required(VERSION 3.25)

if(NOT DOXYGEN)
  message(FATAL_ERROR "there is no doxygen: install scripts/packages.txt")
endif()

# run(<command>...): fails the test unless it exits with 0, without a word on
# standard error. What it prints on standard output is in `output`.
function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${SOURCE_DIR}
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT result STREQUAL 0 OR NOT errors STREQUAL "")
    string(REPLACE ";" " " command "${ARGN}")
    message(FATAL_ERROR "${command}\nanswered ${result}\n${output}${errors}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# says(<page> <text>...): fails the test unless the page has each text.
function(says page)
  file(READ ${WORK_DIR}/${page} html)
  string(REGEX REPLACE "<[^>]*>" "" text "${html}")
  string(REGEX REPLACE "(&#160;|[ \n])+" " " text "${text}")
  string(REPLACE "&lt;" "<" text "${text}")
  foreach(expected IN LISTS ARGN)
    string(FIND "${text}" "${expected}" at)
    if(at EQUAL -1)
      message(FATAL_ERROR "${WORK_DIR}/${page} does not say '${expected}'")
    endif()
  endforeach()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})
file(WRITE ${WORK_DIR}/Doxyfile
  "@INCLUDE = docs/Doxyfile\nOUTPUT_DIRECTORY = ${WORK_DIR}\n")
run(${DOXYGEN} ${WORK_DIR}/Doxyfile)

# Doxygen does not mind a filter that fails.
file(GLOB headers ${SOURCE_DIR}/include/strata/*.h)
foreach(header IN LISTS headers)
  run(${PYTHON} tools/doxygen-filter ${header})
endforeach()

# Each class has a page, and each function of the C interface its place.
foreach(header IN LISTS headers)
  file(STRINGS ${header} classes
    REGEX "^(class|struct)( \\[\\[nodiscard\\]\\])? [A-Za-z]+ .*{")
  foreach(line IN LISTS classes)
    if(NOT line MATCHES "^(class|struct) (\\[\\[nodiscard\\]\\] )?([A-Za-z]+) "
        OR CMAKE_MATCH_3 STREQUAL "ViewOwner") # internal
      continue()
    endif()
    file(GLOB page ${WORK_DIR}/${CMAKE_MATCH_1}strata_1_1*${CMAKE_MATCH_3}.html)
    if(NOT page)
      message(FATAL_ERROR "${header}: no page for '${line}'")
    endif()
  endforeach()
endforeach()
file(STRINGS ${SOURCE_DIR}/include/strata/c.h functions
  REGEX "^[a-z].* \\*?strata_[a-z_]+\\(")
foreach(line IN LISTS functions)
  string(REGEX MATCH "strata_[a-z_]+\\(" name "${line}")
  string(REPLACE "(" " (" name "${name}")
  says(c_8h.html "${name}")
endforeach()

# Comments of all kinds arrive with what they are about.
says(index.html "Strata is a tiered log store")
says(tiered__storage_8h.html "moves between the tiers by age, size and use"
  "auto config = strata::TieredStorageConfig::HighPerformance();")
says(structstrata_1_1LogBounds.html
  "cold_end below this, a verified cold copy exists")
says(classstrata_1_1TieredStorage.html "Cuts the log: offsets at and above"
  "end <= base with kInvalidArgument"
  "options, ReadDone done ) As Read, without waiting")
says(structstrata__append__options.html
  "append only if the log ends there, else STRATA_CONFLICT")
says(namespacestrata.html "kUnavailable Something outside (the object store)")
