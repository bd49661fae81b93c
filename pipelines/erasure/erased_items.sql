-- Items that are erased already or are due now: a spool may still hold their words, or hold them again. Grain: one row per manifestation.
select distinct manifestation_id
from manifestation
where city = $city and erased_at is not null
union
select manifestation_id
from due_item
