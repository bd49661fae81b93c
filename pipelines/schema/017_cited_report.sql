-- Which report's figures the evidence of a recommendation cites: the page says so where it is another one than the page's own.
-- Grain: as before. Null in rows that an earlier version of the program wrote.
alter table report_action add column cited_report_id varchar;
