-- How many persons stand behind each figure, and where it is not told. Grain: one row per report, channel and cell.
select
    $report_id as report_id,
    channel,
    cell_table,
    cell_key,
    manifestation_count,
    person_count,
    suppressed_internal,
    suppressed_open
from protected_cell
order by channel, cell_table, cell_key
