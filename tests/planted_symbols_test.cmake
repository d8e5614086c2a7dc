# The switches of planted faults (src/base/planted_fault.h) are in no binary
# that is shipped, and in the program that is built with them: else this would
# look for the wrong names.
#
#   cmake -DNM=nm -DSHIPPED=<files> -DFAULTY=<file> -P planted_symbols_test.cmake
function(find_switches file found)
  execute_process(COMMAND ${NM} -C ${file}
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY ERROR_QUIET)
  string(REGEX MATCHALL "strata::(planted_fault|PlantFault)[^\n]*" switches
    "${symbols}")
  set(${found} "${switches}" PARENT_SCOPE)
endfunction()

foreach(file IN LISTS SHIPPED)
  find_switches(${file} switches)
  if(switches)
    message(SEND_ERROR "${file}: faults can be planted: ${switches}")
  endif()
endforeach()
find_switches(${FAULTY} switches)
if(NOT switches)
  message(SEND_ERROR "${FAULTY}: no switch found, expected planted_fault")
endif()
