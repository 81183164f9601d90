DROP INDEX suppression_erased;
