-- What a window lacks, and a report on some of the sources. Grain: as before. Null in reports that an earlier version made.
alter table report_day add column covered boolean; -- whether a source of the channel was asked for the day: else no messages is no silence
alter table report add column only_sources varchar; -- the ids of the sources that alone it is about, with commas; null for a report of the city
