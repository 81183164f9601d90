DROP TABLE campaign;
DROP TABLE class;
