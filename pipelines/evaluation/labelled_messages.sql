-- What people labelled in a city's messages, with the text that they saw; a labeller's latest label counts.
-- Grain: one row per manifestation, task and labeller.
with newest as (
    select manifestation_id, version, channel
    from manifestation
    where city = $city
    qualify row_number() over (partition by manifestation_id order by version_number desc) = 1
)

select l.manifestation_id, l.task, l.labeller, l.label, t.text, n.channel
from label as l
join newest as n using (manifestation_id)
join manifestation_text as t
    on t.manifestation_id = l.manifestation_id and t.version = coalesce(l.version, n.version)
where l.city = $city
qualify row_number() over (partition by l.manifestation_id, l.task, l.labeller order by l.run_id desc) = 1
order by l.manifestation_id, l.task, l.labeller
