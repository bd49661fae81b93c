-- Clusters among the texts of the main channel that no category took. Grain: one row per cluster, from the one of most persons.
select *
from report_emerging
where report_id = $report_id and channel = $channel
order by cluster_number
