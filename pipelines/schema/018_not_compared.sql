-- Where a window is compared with nothing, what would be of both is null: nobody looked, and a zero would say that somebody did.
-- Grain: unchanged, that of report_comparison and report_source_comparison.

alter table report_comparison alter column compared_source_count drop not null;
alter table report_comparison alter column lost_source_count drop not null;
alter table report_comparison alter column gained_source_count drop not null;
alter table report_comparison alter column previous_count drop not null;
alter table report_comparison alter column previous_compared_count drop not null;
alter table report_comparison alter column current_compared_count drop not null;
alter table report_source_comparison alter column standing drop not null;
alter table report_source_comparison alter column previous_count drop not null;
