/** The placement `neon` through the suite of placements: a project a company, and a database a company. */
import { placementSuite } from '../placements/suite.ts';
import { useNeon } from './neon-server.ts';
import { startNeon } from './placement.ts';

const neon = useNeon(2);

placementSuite('neon, a project a company', () => startNeon(neon.standIn, 'project'));
placementSuite('neon, a database a company', () => startNeon(neon.standIn, 'database'));
