# The parser: what it makes of real messages, and of its parts.
dsnd_unit_test(parser LIBS dsnd_parse)
dsnd_unit_test(dsn_outcome LIBS dsnd_parse)
dsnd_unit_test(mta_log LIBS dsnd_parse)
foreach(name parse prose dsn address return_path rules mta_log)
    dsnd_fuzz_target(${name} LIBS dsnd_parse)
endforeach()
add_test(NAME golden/corpus
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/golden/corpus.sh $<TARGET_FILE:dsnd>
        ${PROJECT_SOURCE_DIR}/../shared)
set_tests_properties(golden/corpus PROPERTIES LABELS golden TIMEOUT 300 SKIP_RETURN_CODE 77)
add_executable(parse_whole golden/whole.c)
target_link_libraries(parse_whole PRIVATE dsnd_flags dsnd_parse)
add_test(NAME golden/whole COMMAND parse_whole ${PROJECT_SOURCE_DIR}/../shared/corpus/messages)
set_tests_properties(golden/whole PROPERTIES LABELS golden TIMEOUT 300 SKIP_RETURN_CODE 77)
add_test(NAME golden/forms
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/golden/forms.py $<TARGET_FILE:dsnd>)
set_tests_properties(golden/forms PROPERTIES LABELS golden TIMEOUT 300)
add_test(NAME unit/cli_explain
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/explain.sh $<TARGET_FILE:dsnd>)
set_tests_properties(unit/cli_explain PROPERTIES LABELS unit TIMEOUT 60)
add_test(NAME unit/cli_usage COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/usage.sh $<TARGET_FILE:dsnd>)
set_tests_properties(unit/cli_usage PROPERTIES LABELS unit TIMEOUT 60)
add_test(NAME unit/cli_parse_jobs
    COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli/parse_jobs.sh $<TARGET_FILE:dsnd>)
set_tests_properties(unit/cli_parse_jobs PROPERTIES LABELS unit TIMEOUT 60)
