-- Channels without a row, and watches that rest on too little. Grain: one row per offending channel.
select r.channel, w.standing, w.history_days
from report as r
left join report_watch as w using (report_id, channel)
where r.report_id = $report_id
    and (w.standing is null or (w.standing = 'watched' and w.history_days < 28) or w.series_count < 0)
