DROP TABLE total_hour;
DROP TABLE total_breakdown;
DROP TABLE total_campaign;
