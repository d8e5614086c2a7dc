# What users of the installed package do: tests/package_test.cmake, one test a
# name. Those after `install` use what it installed, below the build folder.
function(strata_add_package_test name)
  add_test(NAME package:${name}
    COMMAND ${CMAKE_COMMAND} -DTEST=${name} -DBUILD_DIR=${PROJECT_BINARY_DIR}
      -DSOURCE_DIR=${PROJECT_SOURCE_DIR}
      -DWORK_DIR=${PROJECT_BINARY_DIR}/package -DCXX=${CMAKE_CXX_COMPILER}
      -DC=${CMAKE_C_COMPILER} -DGENERATOR=${CMAKE_GENERATOR}
      -DVERSION=${PROJECT_VERSION}
      -P ${PROJECT_SOURCE_DIR}/tests/package_test.cmake)
  set_tests_properties(package:${name} PROPERTIES TIMEOUT 600
    FIXTURES_REQUIRED package)
endfunction()

foreach(name install headers examples pkg_config c_symbols readme)
  strata_add_package_test(${name})
endforeach()
set_tests_properties(package:install PROPERTIES
  FIXTURES_SETUP package FIXTURES_REQUIRED "")
