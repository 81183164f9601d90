# Tests of the return path and of classification.
foreach(name return_path rules)
    dsnd_unit_test(${name} LIBS dsnd_parse)
endforeach()

add_test(NAME unit/cli_classify
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/classify.sh $<TARGET_FILE:dsnd>)
set_tests_properties(unit/cli_classify PROPERTIES LABELS unit TIMEOUT 60)
foreach(name mint check_config)
    add_test(NAME unit/cli_${name}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/${name}.sh $<TARGET_FILE:dsnd>)
    set_tests_properties(unit/cli_${name} PROPERTIES LABELS unit TIMEOUT 120)
endforeach()
add_test(NAME db/cli
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/support/pg_cluster.sh run
        ${CMAKE_CURRENT_SOURCE_DIR}/cli/database.sh $<TARGET_FILE:dsnd>)
set_tests_properties(db/cli PROPERTIES LABELS db TIMEOUT 120 SKIP_RETURN_CODE 77)
foreach(example sh:sh python3:py php:php)
    string(REPLACE ":" ";" example ${example})
    list(GET example 0 interpreter)
    list(GET example 1 extension)
    add_test(NAME e2e/mint_example_${extension}
        COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/mint_examples.sh $<TARGET_FILE:dsnd>
            ${PROJECT_SOURCE_DIR}/deploy/examples ${interpreter} ${extension})
    set_tests_properties(e2e/mint_example_${extension} PROPERTIES
        LABELS e2e TIMEOUT 60 SKIP_RETURN_CODE 77)
endforeach()
